-- What an API key may do.
ALTER TABLE api_key ADD COLUMN scopes text[] NOT NULL DEFAULT '{emit}';
COMMENT ON COLUMN api_key.scopes IS 'What the key allows: emit, read, admin.';

-- The project of everything that names none: runs logged through a trusted listener, and the demo.
INSERT INTO project (project_key, name) VALUES ('default', 'Default') ON CONFLICT DO NOTHING;
