{#
    The rules that keep a pair from linking by itself, whatever its weight: the name of
    the first one in force that the pair breaks, or null. They are the same between two
    students and between a student and a client. `rules` is one row with a column for each,
    whether it is in force.

    The weights of a twin, a sibling, a parent of the same name add up to a match, because
    families share so much. What tells them apart is the first name, the birth date and
    the suffix.
#}
{% macro match_rule(scores, rules) %}
        case
            when
                {{ scores }}.first_name in ('different', 'similar')
                and {{ rules }}.different_first_name
                then 'different_first_name'
            when
                {{ scores }}.suffix = 'different'
                and {{ rules }}.different_suffix
                then 'different_suffix'
            when
                {{ scores }}.birth_date = 'different'
                and {{ rules }}.different_birth_date
                then 'different_birth_date'
            -- Names that nearly agree may be twins' names, if anything else differs.
            when
                {{ scores }}.first_name
                in ('near', 'initial', 'sound', 'nickname', 'middle')
                and (
                    'different' in (
                        {{ scores }}.gender, {{ scores }}.middle_name, {{ scores }}.ssn
                    )
                    -- Twins got their numbers on one day, one after the other.
                    or {{ scores }}.ssn = 'near'
                )
                and {{ rules }}.contradicted_first_name
                then 'contradicted_first_name'
            -- A parent of the same name lives at the same address: it takes a number.
            when
                ({{ scores }}.first_name is null or {{ scores }}.birth_date is null)
                and coalesce({{ scores }}.ssn, '') <> 'exact'
                and coalesce({{ scores }}.state_id, '') <> 'same'
                and {{ rules }}.unknown_name_or_birth_date
                then 'unknown_name_or_birth_date'
            -- January 1 often stands for an unknown day: then only the year agrees.
            when
                {{ scores }}.birth_date = 'year'
                and coalesce({{ scores }}.ssn, '') <> 'exact'
                and coalesce({{ scores }}.state_id, '') <> 'same'
                and coalesce({{ scores }}.address, '') <> 'exact'
                and {{ rules }}.unknown_name_or_birth_date
                then 'unknown_name_or_birth_date'
        end
{%- endmacro %}
