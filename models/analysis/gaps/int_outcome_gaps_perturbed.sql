{%- set sides = ['involved', 'not_involved'] %}
{%- set counts = [
    'n_involved', 'n_not_involved', 'total_involved', 'total_not_involved', 'n_left_out',
] %}

-- The cell key method (docs/suppression.md): every published figure is computed from
-- published ones of its row, or has noise of its own.
with

gaps as (

    select * from {{ ref('int_outcome_gaps_to_release') }}

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

measure_deviations as (

    select * from {{ ref('int_measure_deviations') }}

),

measured as (

    select
        gaps.*,
        outcome_measures.value_range,
        outcome_measures.decimals,
        measure_deviations.standard_deviation,
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
    left join measure_deviations using (measure)
    cross join suppression

),

-- All counts that a row shows or that can be derived from it. The total of a mean is no
-- count, so its noise is not used.
perturbed_counts as (

    select
        {% for count in counts %}
        measured.{{ count }} + {{ count }}_noise.noise as perturbed_{{ count }},
        {% endfor %}
        measured.*
    from measured
    {% for count in counts %}
    left join perturbation_table as {{ count }}_noise
        on
            least(measured.{{ count }}, measured.largest_noise)
            = {{ count }}_noise.true_count
            and measured.{{ count }}_cell_key >= {{ count }}_noise.key_from
            and measured.{{ count }}_cell_key < {{ count }}_noise.key_to
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
                + (mean_{{ side }}_cell_key - 0.5) * sqrt(12) * mean_noise
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

-- A coded share lies anywhere beyond the bound that is shown.
shown_gaps as (

    select
        shown_values.*,
        {% for side in sides %}
        case
            when is_proportion and perturbed_value_{{ side }} < lowest then 0
            else shown_value_{{ side }}
        end::double precision as least_value_{{ side }},
        case
            when is_proportion and perturbed_value_{{ side }} > highest then 1
            else shown_value_{{ side }}
        end::double precision as greatest_value_{{ side }},
        {% endfor %}
        case
            when not is_coded then shown_value_involved - shown_value_not_involved
        end as shown_gap,
        case
            when is_proportion
                then
                    noise_variance * (
                        (1 + shown_value_involved ^ 2) / shown_n_involved ^ 2
                        + (1 + shown_value_not_involved ^ 2) / shown_n_not_involved ^ 2
                    )
            else
                (mean_noise * value_range) ^ 2
                * (1 / shown_n_involved ^ 2 + 1 / shown_n_not_involved ^ 2)
        end as gap_noise_variance
    from shown_values

),

-- Newcombe's bounds of the shown shares. A mean has the normal interval of the pooled
-- standard deviation.
shown_bounds as (

    select
        {% for bound, side, this, other in [
            ('low', -1, 'least', 'greatest'), ('high', 1, 'greatest', 'least'),
        ] %}
        {{ this }}_value_involved - {{ other }}_value_not_involved
            as {{ bound }}_gap,
        case
            when is_proportion
                then
                    {{ function('newcombe_bound') }}(
                        {{ this }}_value_involved,
                        shown_n_involved::double precision,
                        {{ other }}_value_not_involved,
                        shown_n_not_involved::double precision,
                        {{ side }}
                    )
            else
                {{ this }}_value_involved - {{ other }}_value_not_involved
                + {{ side }} * 1.959963984540054 * standard_deviation
                * sqrt(1.0 / shown_n_involved + 1.0 / shown_n_not_involved)
        end as {{ bound }}_bound,
        {% endfor %}
        shown_gaps.*
    from shown_gaps

),

-- Both intervals are widened by the variance of the noise, up to the largest gap. An
-- adjusted gap has noise of its own, with the variance that its gap has.
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
        {% for bound, side, nearest, largest in [
            ('low', '-', 'greatest', '-value_range'),
            ('high', '+', 'least', 'value_range'),
        ] %}
        case
            when not is_suppressed
                then
                    round(
                        {{ nearest }}(
                            {{ bound }}_gap
                            {{ side }} sqrt(
                                ({{ bound }}_bound - {{ bound }}_gap) ^ 2
                                + 1.959963984540054 ^ 2 * gap_noise_variance
                            ),
                            {{ largest }}
                        )::numeric,
                        decimals
                    )::double precision
        end as ci_{{ bound }},
        {% endfor %}
        case when not is_suppressed then standard_deviation end::double precision
            as standard_deviation,
        case
            when shown_gap is not null
                then
                    round(
                        (
                            adjusted_gap
                            + (adjusted_cell_key - 0.5) * sqrt(12 * gap_noise_variance)
                        )::numeric,
                        decimals
                    )::double precision
        end as adjusted_gap,
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
    from shown_bounds

)

select * from perturbed
