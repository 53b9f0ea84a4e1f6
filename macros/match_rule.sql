{#
    The rules that keep a pair from linking, whatever its weight: the name of the first
    active rule that the pair breaks, or null. Pairs of two students, and of a student
    and a client, have the same rules.

    Twins, siblings and parents with the same name reach the weight of a match, because
    families share so much. First name, birth date and suffix distinguish them.
#}
{% macro match_rule(pair, policy) %}
        case
            -- Allowed if first and middle name are swapped, or if nobody else has the
            -- SSN. One side of a swap is enough where the other middle name is unknown.
            when
                {{ pair }}.first_name in ('different', 'similar')
                and (
                    {{ pair }}.birth_date = 'exact'
                    and {{ pair }}.last_name not in ('different', 'crossed')
                    and coalesce({{ pair }}.gender, 'same') = 'same'
                    and (
                        {{ pair }}.fits_initials
                        or {{ pair }}.fits_initial
                        and {{ pair }}.middle_name is null
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
            -- Allowed for a typo across a month's end: relatives of one name are at least
            -- half a year apart.
            when
                {{ pair }}.birth_date = 'different'
                and (
                    {{ pair }}.has_close_birth_date
                    and {{ pair }}.first_name = 'exact'
                    and coalesce({{ pair }}.middle_name, '') <> 'different'
                    and (
                        {{ pair }}.address in ('exact', 'street', 'similar')
                        or {{ pair }}.ssn = 'exact'
                    )
                ) is not true
                and {{ policy }}.different_birth_date
                then 'different_birth_date'
            -- Similar first names may be those of twins if anything else differs.
            when
                {{ pair }}.first_name
                in ('near', 'initial', 'sound', 'nickname', 'middle')
                and (
                    'different' in (
                        {{ pair }}.gender, {{ pair }}.middle_name, {{ pair }}.ssn
                    )
                    -- Twins often have consecutive SSNs.
                    or {{ pair }}.ssn = 'near'
                )
                and (
                    {{ pair }}.birth_date = 'exact'
                    and ({{ pair }}.fits_initials or {{ pair }}.has_sole_ssn)
                ) is not true
                and {{ policy }}.contradicted_first_name
                then 'contradicted_first_name'
            -- A parent of the same name has the same address. An equal SSN rules that
            -- out, or agreement in everything else that is known.
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
            -- Possibly another person with the same name and a similar birth date.
            -- January 1 often means an unknown day, so then only the year agrees.
            -- An agreeing middle name rules that out, an initial in the same ZIP code.
            when
                {{ pair }}.address in ('zip', 'different')
                and coalesce({{ pair }}.ssn, '') <> 'exact'
                and coalesce({{ pair }}.state_id, '') <> 'same'
                and (
                    {{ pair }}.birth_date in ('near', 'year')
                    and (
                        {{ pair }}.middle_name = 'exact'
                        or {{ pair }}.middle_name = 'initial'
                        and {{ pair }}.address = 'zip'
                    ) is not true
                    or 'different' in ({{ pair }}.middle_name, {{ pair }}.ssn)
                )
                and {{ policy }}.namesake_elsewhere
                then 'namesake_elsewhere'
        end
{%- endmacro %}
