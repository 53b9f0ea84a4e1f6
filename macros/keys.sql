{#
    The keys of the marts, made in one place. A student key is a student of a district;
    a person crosses districts and programs and has a person_id (identity).
#}
{% macro student_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.district_student_id
{%- endmacro %}

{% macro school_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.school_code
{%- endmacro %}

{#
    The hash of a client record's key. raw.clients is indexed by it
    (scripts/outcomes/warehouse/tables.py): the expression has to be the same.
#}
{% macro client_hash(relation) -%}
    hashtextextended(
        {{ relation }}.source_client_id, hashtextextended({{ relation }}.source_id, 0)
    )
{%- endmacro %}

{#
    The kinds of blocking key (seed `blocking_keys`), each with a column of
    `int_identity_key_hashes` that holds such keys.
#}
{% macro blocking_keys() -%}
    {{ return([
        ('ssn', 'ssn'),
        ('state_id', 'state_id'),
        ('surname_sound_birth_date', 'surname_sound_birth_date'),
        ('first_name_birth_date', 'first_name_birth_date'),
        ('first_name_birth_date', 'second_name_birth_date'),
        ('first_name_birth_date', 'first_name_swapped_date'),
        ('first_name_birth_date', 'second_name_swapped_date'),
        ('names_birth_year', 'names_birth_year'),
        ('letters_month_day', 'letters_month_day'),
        ('letters_birth_year_zip', 'letters_birth_year_zip'),
        ('first_name_street', 'first_name_street'),
        ('birth_date_zip', 'birth_date_zip'),
        ('letters_sound_zip', 'letters_sound_zip'),
        ('address', 'address'),
    ]) }}
{%- endmacro %}
