{%- set sides = ['involved', 'not_involved'] %}
{%- set counts = [
    'n_involved', 'n_not_involved', 'total_involved', 'total_not_involved', 'n_left_out',
] %}

-- The published gaps, perturbed by the cell key method (docs/suppression.md).
with

gaps as (

    select * from {{ ref('int_outcome_gaps') }}

),

suppression as (

    select * from {{ ref('suppression') }}

),

perturbation_table as (

    select * from {{ ref('perturbation_table') }}

),

outcome_measures as (

    select * from {{ ref('outcome_measures') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- Groups are published for any program only. The current year is not published: its
-- figures change every week, so averaging them would remove the noise. A record key is
-- a fraction of 2^32; a cell key is the fractional part of their sum.
published as (

    select
        gaps.*,
        gaps.n_involved + gaps.n_not_involved - gaps.n_adjusted as n_left_out,
        {% for count in counts %}
        mod(gaps.{{ count }}_key, 4294967296) / 4294967296 as {{ count }}_cell_key,
        {% endfor %}
        outcome_measures.value_range,
        outcome_measures.decimals,
        suppression.smallest_published_count,
        suppression.largest_noise,
        suppression.noise_variance,
        suppression.mean_noise,
        case when gaps.is_proportion then suppression.lowest_published_share else 0 end
            as lowest,
        case
            when gaps.is_proportion then suppression.highest_published_share
            else outcome_measures.value_range
        end as highest
    from gaps
    inner join outcome_measures using (measure)
    cross join suppression
    cross join as_of
    where
        (gaps.group_type = 'all' or gaps.program_group = 'any')
        and make_date(gaps.school_year, 6, 30) + suppression.days_after_school_year
        <= as_of.as_of_date

),

-- All counts that a row shows or that can be derived from it. The total of a mean is no
-- count, so its noise is not used.
perturbed_counts as (

    select
        {% for count in counts %}
        published.{{ count }} + {{ count }}_noise.noise as perturbed_{{ count }},
        {% endfor %}
        published.*
    from published
    {% for count in counts %}
    left join perturbation_table as {{ count }}_noise
        on
            least(published.{{ count }}, published.largest_noise)
            = {{ count }}_noise.true_count
            and published.{{ count }}_cell_key >= {{ count }}_noise.key_from
            and published.{{ count }}_cell_key < {{ count }}_noise.key_to
    {% endfor %}

),

-- The mean of n students moves as if one value had moved by a random part of the range.
-- The part is uniform with the standard deviation `mean_noise`.
perturbed_values as (

    select
        perturbed_counts.*,
        {% for side in sides %}
        case
            when is_proportion
                then perturbed_total_{{ side }} / nullif(perturbed_n_{{ side }}, 0)
            else
                value_{{ side }}
                + (total_{{ side }}_cell_key - 0.5) * sqrt(12) * mean_noise
                * value_range / nullif(n_{{ side }}, 0)
        end as perturbed_value_{{ side }},
        {% endfor %}
        least(perturbed_n_involved, perturbed_n_not_involved)
        < smallest_published_count as is_suppressed
    from perturbed_counts

),

-- Everything below uses only what is shown, so it reveals nothing more. It is null in a
-- suppressed row.
shown_values as (

    select
        perturbed_values.*,
        {% for side in sides %}
        case when not is_suppressed then perturbed_n_{{ side }} end
            as shown_n_{{ side }},
        case
            when not is_suppressed
                then
                    round(
                        greatest(
                            least(perturbed_value_{{ side }}, highest), lowest
                        )::numeric,
                        decimals
                    )
        end as shown_value_{{ side }},
        {% endfor %}
        not is_suppressed
        and is_proportion
        and not (
            perturbed_value_involved between lowest and highest
            and perturbed_value_not_involved between lowest and highest
        ) as is_coded
    from perturbed_values

),

shown_gaps as (

    select
        shown_values.*,
        case
            when not is_coded then shown_value_involved - shown_value_not_involved
        end as shown_gap,
        1.959963984540054 ^ 2
        * case
            when is_proportion
                then
                    noise_variance * (
                        (1 + shown_value_involved ^ 2) / shown_n_involved ^ 2
                        + (1 + shown_value_not_involved ^ 2) / shown_n_not_involved ^ 2
                    )
            else
                (mean_noise * value_range) ^ 2
                * (1 / shown_n_involved ^ 2 + 1 / shown_n_not_involved ^ 2)
        end as squared_noise
    from shown_values

),

-- Newcombe's interval of the shown shares, or Welch's of the means, widened by the
-- variance of the noise.
perturbed as (

    select
        school_year,
        known_through,
        is_complete_year,
        district_id,
        group_type,
        group_value,
        group_label,
        program_group,
        program_group_label,
        involvement,
        measure,
        measure_label,
        shown_n_involved as n_involved,
        shown_n_not_involved as n_not_involved,
        shown_value_involved::double precision as value_involved,
        shown_value_not_involved::double precision as value_not_involved,
        shown_gap::double precision as gap,
        {% for bound, side in [('ci_low', -1), ('ci_high', 1)] %}
        round(
            (
                shown_gap
                + {{ side }} * sqrt(
                    case
                        when is_proportion
                            then
                                {{ function('newcombe_bound') }}(
                                    shown_value_involved::double precision,
                                    shown_n_involved::double precision,
                                    shown_value_not_involved::double precision,
                                    shown_n_not_involved::double precision,
                                    {{ side }}
                                ) - shown_gap
                        else {{ bound }} - gap
                    end ^ 2
                    + squared_noise
                )
            )::numeric,
            decimals
        )::double precision as {{ bound }},
        {% endfor %}
        round((adjusted_gap + shown_gap - gap)::numeric, decimals)::double precision
            as adjusted_gap,
        case
            when shown_gap is not null
                then
                    round(
                        1
                        - least(
                            perturbed_n_left_out,
                            shown_n_involved + shown_n_not_involved
                        )::numeric
                        / (shown_n_involved + shown_n_not_involved),
                        2
                    )::double precision
        end as adjusted_coverage,
        is_coded,
        is_suppressed
    from shown_gaps

)

select * from perturbed
