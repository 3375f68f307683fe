-- Which migration the tables are of; no row where there are none.
SELECT version_num::text FROM alembic_version
