{#
    The level of a comparison between the records `students` and `others`. Written by
    `outcomes link train` from seeds/identity/match_model.json: change it there.
#}
{% macro match_level(comparison) %}
    {%- if comparison == 'last_name' -%}
        case
        when students.last_name is null or others.last_name is null then null
        when students.last_name = others.last_name then 'exact'
        when students.first_name <> others.first_name and students.first_name <> students.last_name and {{ function('is_near_text') }}(students.first_name, others.last_name) and {{ function('is_near_text') }}(students.last_name, others.first_name) then 'swapped'
        when students.last_name_tokens && others.last_name_tokens then 'compound'
        when least(length(students.last_name), length(others.last_name)) > 2 and {{ function('is_near_text') }}(students.last_name, others.last_name) then 'near'
        when students.last_name_sound = others.last_name_sound then 'sound'
        when left(students.last_name, 1) = left(others.last_name, 1) and abs(length(students.last_name) - length(others.last_name)) <= 3 and {{ function('is_similar_text') }}(students.last_name, others.last_name, 0.88) then 'similar'
        when students.first_name = others.last_name or students.last_name = others.first_name then 'crossed'
        else 'different'
        end
    {%- elif comparison == 'first_name' -%}
        case
        when students.first_name is null or others.first_name is null then null
        when students.first_name = others.first_name then 'exact'
        when students.first_name <> others.first_name and students.first_name <> students.last_name and {{ function('is_near_text') }}(students.first_name, others.last_name) and {{ function('is_near_text') }}(students.last_name, others.first_name) then 'swapped'
        when students.first_name_forms && others.first_name_forms then 'nickname'
        when length(students.middle_name) > 1 and students.middle_name = others.first_name or length(others.middle_name) > 1 and others.middle_name = students.first_name then 'middle'
        when left(students.first_name, 1) = left(others.first_name, 1) and least(length(students.first_name), length(others.first_name)) > 2 and {{ function('is_near_text') }}(students.first_name, others.first_name) then 'near'
        when starts_with(students.first_name, others.first_name) or starts_with(others.first_name, students.first_name) then 'initial'
        when left(students.first_name, 1) = left(others.first_name, 1) and students.first_name_sound = others.first_name_sound then 'sound'
        when left(students.first_name, 1) = left(others.first_name, 1) and abs(length(students.first_name) - length(others.first_name)) <= 3 and {{ function('is_similar_text') }}(students.first_name, others.first_name, 0.88) then 'similar'
        else 'different'
        end
    {%- elif comparison == 'middle_name' -%}
        case
        when students.middle_name is null or others.middle_name is null or (students.middle_name <> others.middle_name and (students.middle_name = others.first_name or others.middle_name = students.first_name)) then null
        when students.middle_name = others.middle_name and length(students.middle_name) > 1 then 'exact'
        when left(students.middle_name, 1) = left(others.middle_name, 1) and least(length(students.middle_name), length(others.middle_name)) = 1 or least(length(students.middle_name), length(others.middle_name)) > 1 and {{ function('is_near_text') }}(students.middle_name, others.middle_name) then 'initial'
        else 'different'
        end
    {%- elif comparison == 'suffix' -%}
        case
        when students.suffix is null and others.suffix is null then null
        when students.suffix = others.suffix then 'same'
        when students.suffix is null or others.suffix is null then 'one'
        else 'different'
        end
    {%- elif comparison == 'birth_date' -%}
        case
        when students.birth_date is null or others.birth_date is null then null
        when students.birth_date = others.birth_date then 'exact'
        when extract(year from students.birth_date) = extract(year from others.birth_date) and extract(month from students.birth_date) = extract(day from others.birth_date) and extract(day from students.birth_date) = extract(month from others.birth_date) then 'swapped'
        when extract(year from students.birth_date) = extract(year from others.birth_date) and (extract(month from students.birth_date) = 1 and extract(day from students.birth_date) = 1 or extract(month from others.birth_date) = 1 and extract(day from others.birth_date) = 1) then 'year'
        when extract(month from students.birth_date) = extract(month from others.birth_date) and extract(day from students.birth_date) = extract(day from others.birth_date) and {{ function('is_near_text') }}(cast(extract(year from students.birth_date) as text), cast(extract(year from others.birth_date) as text)) or extract(year from students.birth_date) = extract(year from others.birth_date) and (extract(month from students.birth_date) = extract(month from others.birth_date) or extract(day from students.birth_date) = extract(day from others.birth_date)) then 'near'
        else 'different'
        end
    {%- elif comparison == 'gender' -%}
        case
        when students.gender is null or others.gender is null then null
        when students.gender = others.gender then 'same'
        else 'different'
        end
    {%- elif comparison == 'ssn' -%}
        case
        when students.ssn is null or others.ssn is null then null
        when students.ssn = others.ssn then 'exact'
        when {{ function('is_near_text') }}(students.ssn, others.ssn) then 'near'
        else 'different'
        end
    {%- elif comparison == 'address' -%}
        case
        when (students.street is null or others.street is null or students.street <> others.street) and (students.zip is null or others.zip is null) then null
        when students.street = others.street and students.zip = others.zip then 'exact'
        when students.street = others.street then 'street'
        when {{ function('is_near_text') }}(students.zip, others.zip) and {{ function('is_similar_text') }}(students.street, others.street, 0.9) then 'similar'
        when students.zip = others.zip then 'zip'
        else 'different'
        end
    {%- elif comparison == 'state_id' -%}
        case
        when students.state_student_id is null or others.state_student_id is null then null
        when students.state_student_id = others.state_student_id then 'same'
        else 'different'
        end
    {%- endif -%}
{% endmacro %}
