/*
What it checks: every code that a partner has sent has a row in `code_crosswalk`.
When it matters: always; an unmapped code is null in the marts, so the reason of an exit
is unknown, or an absence is not counted. It only warns, because a new code of one
district must not stop the figures of the others. The scorecard and the district's
workbook report it.
How to resolve it: ask the partner what the code means, then add its row to
seeds/crosswalks/code_crosswalk.csv.
*/
{{ config(severity='warn') }}
select * from {{ ref('unmapped_codes') }}
