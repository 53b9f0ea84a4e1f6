-- Decomposition separates accents from letters; other letters are spelled out.
-- Apostrophes and periods are removed ("O'Brien", "St."); other punctuation separates.
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
