{#
    Joins the student of a row, who has the district's id or, without one, the state's.
    `student_ids` has to be one of the CTEs.
#}
{% macro join_student_ids(relation) -%}
inner join student_ids
        on
            {{ relation }}.partner_id = student_ids.district_id
            and ({{ relation }}.district_student_id is null) = student_ids.is_state_id
            and coalesce({{ relation }}.district_student_id, {{ relation }}.state_student_id)
            = student_ids.student_id
{%- endmacro %}
