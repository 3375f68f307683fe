INSERT INTO api_key (key_id, project_key, key_hash, scopes, label)
VALUES (%(key_id)s, %(project_key)s, %(key_hash)s, %(scopes)s, %(label)s)
