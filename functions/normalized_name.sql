-- Decomposition parts letters from their accents; the letters that it leaves whole are
-- spelled out. Apostrophes and periods join ("O'Brien", "St."), all else separates.
select
    nullif(
        btrim(
            regexp_replace(
                regexp_replace(
                    replace(
                        replace(
                            translate(lower(normalize(name, nfkd)), 'łøđıð', 'lodid'),
                            'ß', 'ss'
                        ),
                        'æ', 'ae'
                    ),
                    '[''’`.\u0300-\u036f]', '', 'g'
                ),
                '[^a-z]+', ' ', 'g'
            )
        ),
        ''
    )
