{#
    The rules that keep a pair from linking by itself, whatever its weight: the name of
    the first one in force that the pair breaks, or null. They are the same between two
    students and between a student and a client.

    The weights of a twin, a sibling, a parent of the same name add up to a match, because
    families share so much. What tells them apart is the first name, the birth date and
    the suffix.
#}
{% macro match_rule(pair, policy) %}
        case
            -- Unless first and middle name are exchanged, or the number is nobody else's.
            when
                {{ pair }}.first_name in ('different', 'similar')
                and (
                    {{ pair }}.birth_date = 'exact'
                    and {{ pair }}.last_name not in ('different', 'crossed')
                    and (
                        {{ pair }}.fits_initials
                        or {{ pair }}.fits_initial
                        and {{ pair }}.address in ('exact', 'street', 'similar')
                        or {{ pair }}.has_sole_ssn
                    )
                ) is not true
                and {{ policy }}.different_first_name
                then 'different_first_name'
            when
                {{ pair }}.suffix = 'different'
                and {{ policy }}.different_suffix
                then 'different_suffix'
            when
                {{ pair }}.birth_date = 'different'
                and {{ policy }}.different_birth_date
                then 'different_birth_date'
            -- Names that nearly agree may be twins' names, if anything else differs.
            when
                {{ pair }}.first_name
                in ('near', 'initial', 'sound', 'nickname', 'middle')
                and (
                    'different' in (
                        {{ pair }}.gender, {{ pair }}.middle_name, {{ pair }}.ssn
                    )
                    -- Twins got their numbers on one day, one after the other.
                    or {{ pair }}.ssn = 'near'
                )
                and (
                    {{ pair }}.birth_date = 'exact'
                    and ({{ pair }}.fits_initials or {{ pair }}.has_sole_ssn)
                ) is not true
                and {{ policy }}.contradicted_first_name
                then 'contradicted_first_name'
            -- A parent of the same name lives at the same address: it takes a number, or
            -- everything else that has been said.
            when
                ({{ pair }}.first_name is null or {{ pair }}.birth_date is null)
                and coalesce({{ pair }}.ssn, '') <> 'exact'
                and coalesce({{ pair }}.state_id, '') <> 'same'
                and (
                    'exact' in ({{ pair }}.first_name, {{ pair }}.birth_date)
                    and {{ pair }}.middle_name in ('exact', 'initial')
                    and coalesce({{ pair }}.suffix, 'same') = 'same'
                ) is not true
                and {{ policy }}.unknown_name_or_birth_date
                then 'unknown_name_or_birth_date'
            -- Somebody of the same name was born about then. January 1 often stands for
            -- an unknown day: then only the year agrees.
            when
                {{ pair }}.address in ('zip', 'different')
                and coalesce({{ pair }}.ssn, '') <> 'exact'
                and coalesce({{ pair }}.state_id, '') <> 'same'
                and (
                    {{ pair }}.birth_date in ('near', 'year')
                    or 'different' in ({{ pair }}.middle_name, {{ pair }}.ssn)
                )
                and {{ policy }}.namesake_elsewhere
                then 'namesake_elsewhere'
        end
{%- endmacro %}
