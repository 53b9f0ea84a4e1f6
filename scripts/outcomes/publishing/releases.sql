-- Releases of school years. Replaced by every upgrade that finds another text.

-- Keep the figures of the school years that this run has published for the first time, or
-- revised.
create or replace function releases.keep(this_run_id text)
returns void
language plpgsql set search_path = '' as $$
begin
    insert into releases.school_years (school_year, revision)
    select distinct school_year, revision
    from marts_public.rpt_outcome_gaps
    where revision = 0
    on conflict do nothing;

    with released as (
        update releases.school_years as years
        set released_at = now(), run_id = this_run_id, as_of_date = published.released_on
        from (
            select distinct school_year, revision, released_on
            from marts_public.rpt_outcome_gaps
        ) as published
        where
            (years.school_year, years.revision) = (published.school_year, published.revision)
            and years.released_at is null
        returning years.school_year, years.revision
    ),

    gaps as (
        select
            school_year, known_through, is_complete_year, district_id, 'all' as group_type,
            'all' as group_value, 'all' as group_label, program_group, program_group_label,
            involvement, measure, measure_label, n_involved, n_not_involved, value_involved,
            value_not_involved, gap, ci_low, ci_high, standard_deviation, adjusted_gap,
            adjusted_coverage, is_coded, is_suppressed, revision
        from marts_public.rpt_outcome_gaps
        union all
        select
            school_year, known_through, is_complete_year, district_id, group_type,
            group_value, group_label, program_group, program_group_label, involvement,
            measure, measure_label, n_involved, n_not_involved, value_involved,
            value_not_involved, gap, ci_low, ci_high, standard_deviation, adjusted_gap,
            adjusted_coverage, is_coded, is_suppressed, revision
        from marts_public.rpt_outcome_gaps_by_group
    )

    insert into releases.outcome_gaps
    select gaps.* from gaps inner join released using (school_year, revision);
end
$$;
