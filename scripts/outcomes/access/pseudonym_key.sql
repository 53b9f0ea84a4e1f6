-- The key of the pseudonyms. Replaced by every upgrade that finds another text.

-- A hash of the key of the pseudonyms, which tells nothing about it. The key of the session
-- (the environment's) comes before the warehouse's own.
create or replace function privacy.key_fingerprint()
returns text
language sql stable set search_path = '' as $$
    select
        encode(
            sha256(
                convert_to('fingerprint', 'UTF8')
                || coalesce(
                    convert_to(nullif(current_setting('outcomes.pseudonym_key', true), ''), 'UTF8'),
                    key
                )
            ),
            'hex'
        )
    from privacy.pseudonym_key
$$;
