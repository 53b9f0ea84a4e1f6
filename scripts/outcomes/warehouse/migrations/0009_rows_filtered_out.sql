-- The rows that a contract's row filter leaves out.
alter table landing.files rename column rows_not_for_us to rows_filtered_out;
alter table landing.files rename column lines_not_for_us to lines_filtered_out;
