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
-- figures change every week, so averaging them would remove the noise.
published as (

    select
        gaps.*,
        row_number() over () as gap_number,
        outcome_measures.value_range,
        outcome_measures.decimals,
        suppression.smallest_published_count,
        suppression.lowest_published_share,
        suppression.highest_published_share,
        suppression.largest_noise,
        suppression.noise_variance,
        suppression.mean_noise
    from gaps
    inner join outcome_measures on gaps.measure = outcome_measures.measure
    cross join suppression
    cross join as_of
    where
        (gaps.group_type = 'all' or gaps.program_group = 'any')
        and make_date(gaps.school_year, 6, 30) + suppression.days_after_school_year
        <= as_of.as_of_date

),

-- All counts that a row shows or that can be derived from it. A record key is a
-- fraction of 2^32; a cell key is the fractional part of their sum.
cells as (

    select
        published.gap_number,
        counts.cell,
        counts.true_count,
        least(counts.true_count, published.largest_noise) as perturbed_as,
        mod(counts.key_sum, 4294967296) / 4294967296 as cell_key
    from published
    cross join
        lateral (
            values
            ('n_involved', published.n_involved, published.n_involved_key),
            ('n_not_involved', published.n_not_involved, published.n_not_involved_key),
            (
                'with_outcome_involved',
                published.total_involved,
                published.total_involved_key
            ),
            (
                'with_outcome_not_involved',
                published.total_not_involved,
                published.total_not_involved_key
            ),
            (
                'n_left_out',
                published.n_involved + published.n_not_involved - published.n_adjusted,
                published.n_left_out_key
            )
        ) as counts (cell, true_count, key_sum)
    where published.is_proportion or counts.cell not like 'with\_outcome%'

),

perturbed_cells as (

    select
        cells.gap_number,
        cells.cell,
        cells.true_count + perturbation_table.noise as perturbed_count
    from cells
    inner join perturbation_table
        on
            cells.perturbed_as = perturbation_table.true_count
            and cells.cell_key >= perturbation_table.key_from
            and cells.cell_key < perturbation_table.key_to

),

perturbed_counts as (

    select
        gap_number,
        max(perturbed_count) filter (where cell = 'n_involved') as shown_involved,
        max(perturbed_count) filter (where cell = 'n_not_involved')
            as shown_not_involved,
        max(perturbed_count) filter (where cell = 'with_outcome_involved')
            as with_outcome_involved,
        max(perturbed_count) filter (where cell = 'with_outcome_not_involved')
            as with_outcome_not_involved,
        max(perturbed_count) filter (where cell = 'n_left_out') as shown_left_out
    from perturbed_cells
    group by gap_number

),

-- The mean of n students moves as if one value had moved by a random part of the range.
-- The part is uniform with the standard deviation `mean_noise`.
perturbed_values as (

    select
        published.*,
        perturbed_counts.shown_involved,
        perturbed_counts.shown_not_involved,
        perturbed_counts.shown_left_out,
        case
            when published.is_proportion
                then
                    perturbed_counts.with_outcome_involved
                    / nullif(perturbed_counts.shown_involved, 0)
            else
                published.value_involved
                + (mod(published.total_involved_key, 4294967296) / 4294967296 - 0.5)
                * sqrt(12) * published.mean_noise * published.value_range
                / nullif(published.n_involved, 0)
        end as noisy_involved,
        case
            when published.is_proportion
                then
                    perturbed_counts.with_outcome_not_involved
                    / nullif(perturbed_counts.shown_not_involved, 0)
            else
                published.value_not_involved
                + (mod(published.total_not_involved_key, 4294967296) / 4294967296 - 0.5)
                * sqrt(12) * published.mean_noise * published.value_range
                / nullif(published.n_not_involved, 0)
        end as noisy_not_involved
    from published
    inner join perturbed_counts on published.gap_number = perturbed_counts.gap_number

),

flagged_values as (

    select
        perturbed_values.*,
        least(shown_involved, shown_not_involved) < smallest_published_count
            as is_suppressed,
        is_proportion
        and (
            least(noisy_involved, noisy_not_involved) < lowest_published_share
            or greatest(noisy_involved, noisy_not_involved) > highest_published_share
        ) as is_at_an_end,
        case when is_proportion then lowest_published_share else 0 end as lowest,
        case when is_proportion then highest_published_share else value_range end
            as highest
    from perturbed_values

),

-- Everything below uses only rounded and coded values, so it reveals nothing more.
shown_values as (

    select
        flagged_values.*,
        round(least(greatest(noisy_involved, lowest), highest)::numeric, decimals)
            as shown_value_involved,
        round(least(greatest(noisy_not_involved, lowest), highest)::numeric, decimals)
            as shown_value_not_involved
    from flagged_values
    where not is_suppressed

),

shown_gaps as (

    select
        shown_values.*,
        shown_value_involved - shown_value_not_involved as shown_gap,
        1.959963984540054 ^ 2
        * case
            when is_proportion
                then
                    noise_variance * (
                        (1 + shown_value_involved ^ 2) / shown_involved ^ 2
                        + (1 + shown_value_not_involved ^ 2) / shown_not_involved ^ 2
                    )
            else
                (mean_noise * value_range) ^ 2
                * (1 / shown_involved ^ 2 + 1 / shown_not_involved ^ 2)
        end as squared_noise
    from shown_values
    where not is_at_an_end

),

-- Newcombe's interval of the shown shares, or Welch's of the means, widened by the
-- variance of the noise.
intervals as (

    select
        shown_gaps.*,
        case
            when is_proportion
                then
                    shown_gap
                    - {{ function('newcombe_bound') }}(
                        shown_value_involved::double precision,
                        shown_involved::double precision,
                        shown_value_not_involved::double precision,
                        shown_not_involved::double precision,
                        -1
                    )
            else gap - ci_low
        end as below,
        case
            when is_proportion
                then
                    {{ function('newcombe_bound') }}(
                        shown_value_involved::double precision,
                        shown_involved::double precision,
                        shown_value_not_involved::double precision,
                        shown_not_involved::double precision,
                        1
                    ) - shown_gap
            else ci_high - gap
        end as above
    from shown_gaps

),

perturbed as (

    select
        flagged_values.school_year,
        flagged_values.known_through,
        flagged_values.is_complete_year,
        flagged_values.district_id,
        flagged_values.group_type,
        flagged_values.group_value,
        flagged_values.group_label,
        flagged_values.program_group,
        flagged_values.program_group_label,
        flagged_values.involvement,
        flagged_values.measure,
        flagged_values.measure_label,
        shown_values.shown_involved::bigint as n_involved,
        shown_values.shown_not_involved::bigint as n_not_involved,
        shown_values.shown_value_involved::double precision as value_involved,
        shown_values.shown_value_not_involved::double precision as value_not_involved,
        intervals.shown_gap::double precision as gap,
        round(
            (
                intervals.shown_gap
                - sqrt(intervals.below ^ 2 + intervals.squared_noise)
            )::numeric,
            intervals.decimals
        )::double precision as ci_low,
        round(
            (
                intervals.shown_gap
                + sqrt(intervals.above ^ 2 + intervals.squared_noise)
            )::numeric,
            intervals.decimals
        )::double precision as ci_high,
        round(
            (intervals.adjusted_gap + intervals.shown_gap - intervals.gap)::numeric,
            intervals.decimals
        )::double precision as adjusted_gap,
        round(
            1
            - least(
                intervals.shown_left_out,
                intervals.shown_involved + intervals.shown_not_involved
            )
            / (intervals.shown_involved + intervals.shown_not_involved),
            2
        )::double precision as adjusted_coverage,
        flagged_values.is_at_an_end and not flagged_values.is_suppressed as is_coded,
        flagged_values.is_suppressed
    from flagged_values
    left join shown_values on flagged_values.gap_number = shown_values.gap_number
    left join intervals on flagged_values.gap_number = intervals.gap_number

)

select * from perturbed
