-- The seed is policy.attendance_bands.
drop table if exists policy.matching_attendance_bands;
