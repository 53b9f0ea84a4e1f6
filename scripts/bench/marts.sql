-- Landed rows of three school years of one district: positive attendance (a row per student
-- and day in session), state ids, full snapshots, a file per feed and year.

-- 13 grades at a time, and 2 years of those who come and go.
create temporary table bench_students as
select
    n,
    lpad(n::text, 6, '0') as local_id,
    (1000000000 + n)::text as state_id,
    n %% 15 - 2 as first_grade,
    -- A school of about 500 students, for all grades.
    lpad((100 + n / 15 %% 64)::text, 4, '0') as school_code,
    last_name,
    first_name,
    sex,
    street,
    city,
    zip,
    -- A year's children of a grade are born on all its days.
    make_date(2006 - n %% 15, 1, 1) + n / 15 * 37 %% 365 as birth_date,
    (n * 37) %% 1000 / 1000.0 as need
from bench_people;

create temporary table bench_student_years as
select
    students.*,
    school_year,
    first_grade + school_year - 2011 as grade
from bench_students as students
cross join generate_series(2011, 2013) as school_year
where first_grade + school_year - 2011 between 0 and 12;

create temporary table bench_days as
select
    school_year,
    day::date as calendar_date,
    row_number() over (partition by school_year order by day) as n
from generate_series(2011, 2013) as school_year
cross join lateral generate_series(
    make_date(school_year - 1, 8, 29), make_date(school_year, 6, 20), interval '1 day'
) as day
where extract(isodow from day) < 6;

delete from bench_days
where n > 180;

analyze bench_students, bench_student_years, bench_days;

insert into landing.files (
    partner_id, contract_object, source_id, file_name, sha256, as_of_date, school_year,
    status
)
select
    'woodland_hills',
    object,
    null,
    object || ' of ' || school_year,
    object || school_year,
    make_date(school_year, 6, 28),
    case when object <> 'ASSESSMENT' then school_year end,
    'loaded'
from generate_series(2011, 2013) as school_year
cross join unnest(
    array['STUDENT', 'ENROLLMENT', 'CALENDAR', 'ATTENDANCE', 'GPA', 'ASSESSMENT', 'DISCIPLINE']
) as object
union all
select 'dhs', object, 'income_support', object, object, date '2013-06-28', null, 'loaded'
from unnest(array['clients', 'services']) as object
union all
select 'interventions', 'roster', null, 'roster', 'roster', date '2013-06-28', null, 'loaded';

create temporary table bench_loads as
select
    file_id as load_id,
    contract_object,
    extract(year from as_of_date)::integer as school_year,
    as_of_date
from landing.files;

insert into raw.students (
    partner_id, load_id, line_number, as_of_date, district_student_id, state_student_id,
    last_name, first_name, birth_date, gender, street, city, zip, school_code, grade, race,
    english_learner, special_education, economic_status
)
select
    'woodland_hills', load_id, n, as_of_date, local_id, state_id, last_name, first_name,
    birth_date, sex, street, city, zip, school_code,
    case grade when 0 then 'K5F' else lpad(grade::text, 3, '0') end,
    (1 + n %% 6)::text, '99', 'N', (array['F', 'R', 'N'])[1 + n %% 3]
from bench_student_years
inner join bench_loads using (school_year)
where contract_object = 'STUDENT';

insert into raw.enrollments (
    partner_id, load_id, line_number, as_of_date, state_student_id, school_code, grade,
    activity_date, activity_code
)
select
    'woodland_hills', load_id, n, as_of_date, state_id, school_code,
    case grade when 0 then 'K5F' else lpad(grade::text, 3, '0') end, events.day, events.code
from bench_student_years
inner join bench_loads using (school_year)
cross join lateral (
    values
    (make_date(school_year - 1, 8, 29), 'E01'),
    (
        case when grade = 12 then make_date(school_year, 6, 7) end,
        'WD04'
    )
) as events (day, code)
where contract_object = 'ENROLLMENT' and events.day is not null;

insert into raw.calendar_days (
    partner_id, load_id, line_number, as_of_date, school_code, school_name, calendar_date,
    in_session
)
select
    'woodland_hills', load_id, n, as_of_date, school_code, 'School ' || school_code,
    calendar_date, 'Y'
from bench_days
inner join bench_loads using (school_year)
cross join (select distinct school_code from bench_students) as schools
where contract_object = 'CALENDAR';

-- As the district writes its file: student by student, and a flag for absences only.
insert into raw.attendance_events (
    partner_id, load_id, line_number, as_of_date, state_student_id, school_code, event_date,
    event_code, excused
)
select
    'woodland_hills', load_id, days.n, as_of_date, state_id, school_code, calendar_date,
    case
        when hash < 40 + 100 * need then 'A'
        when hash > 990 then 'H'
        when hash > 970 then 'L'
        else 'P'
    end,
    case
        when hash >= 40 + 100 * need and hash <= 990 then null
        when hash %% 2 = 0 then 'Y'
        else 'N'
    end
from bench_student_years as student_years
inner join bench_loads using (school_year)
inner join bench_days as days using (school_year)
cross join lateral (
    select abs(hashint8(student_years.n * 1000000::bigint + days.n * 1000 + school_year))
    %% 1000 as hash
) as hashes
where contract_object = 'ATTENDANCE'
order by school_year, student_years.n, calendar_date;

insert into raw.gpas (
    partner_id, load_id, line_number, as_of_date, state_student_id, school_year,
    marking_period, gpa
)
select
    'woodland_hills', load_id, n, as_of_date, state_id, school_year, period,
    round((3.8 - 2.5 * need)::numeric, 2)
from bench_student_years
inner join bench_loads using (school_year)
cross join generate_series(1, 4) as period
where contract_object = 'GPA' and grade >= 6;

insert into raw.assessments (
    partner_id, load_id, line_number, as_of_date, state_student_id, test_year, grade, test,
    subject, scaled_score, level
)
select
    'woodland_hills', load_id, n, as_of_date, state_id, school_year,
    lpad(grade::text, 3, '0'), 'PSSA', subject, 1300, (1 + n %% 4)::text
from bench_student_years
inner join bench_loads using (school_year)
cross join unnest(array['M', 'R']) as subject
where contract_object = 'ASSESSMENT' and (grade between 3 and 8 or grade = 11);

insert into raw.discipline_actions (
    partner_id, load_id, line_number, as_of_date, state_student_id, incident_date,
    action, days
)
select
    'woodland_hills', load_id, n, as_of_date, state_id, make_date(school_year, 2, 3),
    'OSS', 2
from bench_student_years
inner join bench_loads using (school_year)
where contract_object = 'DISCIPLINE' and need > 0.9;

-- Half of the students have a client record of the same name and birth date.
insert into raw.clients (
    partner_id, load_id, line_number, as_of_date, source_id, source_client_id, last_name,
    first_name, birth_date, sex, street, city, zip, updated_at, is_deleted
)
select
    'dhs', load_id, n, as_of_date, 'income_support', 'C' || n, last_name, first_name,
    birth_date, sex, street, city, zip, as_of_date, false
from bench_students
cross join bench_loads
where contract_object = 'clients' and need > 0.5;

insert into raw.services (
    partner_id, load_id, line_number, as_of_date, source_id, source_service_id,
    source_client_id, program_code, start_date, end_date, updated_at, is_deleted
)
select
    'dhs', load_id, n, as_of_date, 'income_support', 'S' || n || '-' || number, 'C' || n,
    (array['TANF', 'SNAP', 'MEDICAL_ASSISTANCE'])[number],
    make_date(2002 + (n + number) %% 11, 3, 1), null, as_of_date, false
from bench_students
cross join bench_loads
cross join generate_series(1, 3) as number
where contract_object = 'services' and need > 0.5;

insert into raw.intervention_rosters (
    partner_id, load_id, line_number, as_of_date, intervention_code, intervention_name,
    district_id, district_student_id, started_on
)
select
    'interventions', load_id, n, as_of_date, 'SST', 'School-based support team',
    'woodland_hills', local_id, make_date(2011 + n / 50 %% 2, 9, 10)
from bench_students
cross join bench_loads
where contract_object = 'roster' and n %% 50 = 0;

update landing.files
set
    lines = rows.n,
    rows_loaded = rows.n,
    lines_loaded = rows.n
from (
    select load_id, count(*) as n from raw.attendance_events group by load_id
) as rows
where files.file_id = rows.load_id;
