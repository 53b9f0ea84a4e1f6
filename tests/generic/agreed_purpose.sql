{% test agreed_purpose(model, purpose) %}
{#
    Fails for each district with rows in the relation whose agreement does not name the
    purpose.
#}
select
    rows_of.district_id,
    count(*) as rows_affected
from {{ model }} as rows_of
left join {{ ref('stg_partners') }} as partners
    on
        rows_of.district_id = partners.partner_id
        and '{{ purpose }}' = any(partners.purposes)
where partners.partner_id is null
group by rows_of.district_id
{% endtest %}
