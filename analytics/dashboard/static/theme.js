// Before anything is drawn: the colours that were chosen, where that is not the system's.
"use strict";
try {
  const chosen = localStorage.getItem("runledger-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* storage is closed to us: the system's colours */ }
