/*
What it checks: of the people of a district and school year as many as
`deidentification` wants share everything that the de-identified marts, taken together,
show of what others may know of them.
When it matters: always; in a smaller class an analyst could recognize a child.
How to resolve it: see what the profiles of the class have that the others have not;
some relation shows a column without asking int_deidentified_person_years, or of another
year.
*/
{% set relations = [
    ('pseudonymized_fct_student_years', 'district_id', 'school_year', {
        'birth_year': 'birth_year',
        'grade': 'grade',
        'gender': 'gender',
        'race': 'race',
        'is_english_learner': 'is_english_learner',
        'special_education': 'special_education',
        'economic_status': 'economic_status',
    }),
    ('pseudonymized_fct_enrollments', 'district_id', 'school_year', {
        'grade': 'grade', 'school_key': 'school',
    }),
    ('pseudonymized_fct_assessments', 'district_id', 'test_year', {'grade': 'grade'}),
    ('pseudonymized_rpt_discrepancy_cohort', 'district_id', 'school_year', {
        'grade': 'grade', "district_id || ':' || school_code": 'school',
    }),
    ('pseudonymized_fct_cohort_years', 'base_district_id', 'base_year', {
        'base_grade': 'grade',
        'gender': 'gender',
        'race': 'race',
        'base_economic_status': 'economic_status',
    }),
    ('pseudonymized_fct_cohort_years', 'district_id', 'follow_up_year', {
        'grade': 'grade',
    }),
] %}
with

shown as (

    {% for relation, district, year, columns in relations %}
    {%- set outer = loop %}
    {%- for column, meaning in columns.items() %}
    select
        person_id,
        {{ district }},
        {{ year }},
        '{{ meaning }} ' || {{ column }} as what
    from {{ ref(relation) }}
    where {{ district }} is not null
    {{ '' if loop.last and outer.last else 'union' }}
    {%- endfor %}
    {%- endfor %}

),

-- Who is shown with nothing but a district has an empty profile.
profiles as (

    select
        person_id,
        district_id,
        school_year,
        coalesce(string_agg(what, ', ' order by what), '') as profile
    from shown
    group by person_id, district_id, school_year

),

classes as (

    select
        district_id,
        school_year,
        profile,
        count(*) as n_people
    from profiles
    group by district_id, school_year, profile

)

select classes.*
from classes
cross join {{ ref('deidentification') }} as policy
where classes.n_people < policy.smallest_class
