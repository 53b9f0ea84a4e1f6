/*
What it checks: every code that a partner has sent has a row in `code_crosswalk`.
When it matters: always; an unmapped code is null in the marts, so an exit may be missed
or an absence not counted.
How to resolve it: ask the partner what the code means, then add its row to
seeds/crosswalks/code_crosswalk.csv.
*/
select * from {{ ref('unmapped_codes') }}
