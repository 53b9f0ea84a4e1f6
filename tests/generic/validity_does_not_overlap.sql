{% test validity_does_not_overlap(model, columns) %}
{#
    Fails for two policy rows of the same key that apply in the same school year. An
    empty first or last year is no bound.
#}
select
    {% for column in columns %}
    one.{{ column }},
    {% endfor %}
    one.first_school_year,
    one.last_school_year
from {{ model }} as one
inner join {{ model }} as other
    on
        one.ctid <> other.ctid
        {% for column in columns %}
        and one.{{ column }} = other.{{ column }}
        {% endfor %}
        and coalesce(one.first_school_year, -1)
        <= coalesce(other.last_school_year, 9999)
        and coalesce(other.first_school_year, -1)
        <= coalesce(one.last_school_year, 9999)
{% endtest %}
