-- January 1, 1900 was a Monday.
select
    (last_day - date '1900-01-01') / 7 * 5
    + least((last_day - date '1900-01-01') % 7 + 1, 5)
    - (first_day - 1 - date '1900-01-01') / 7 * 5
    - least((first_day - 1 - date '1900-01-01') % 7 + 1, 5)
