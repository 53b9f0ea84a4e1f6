select oid::regprocedure::text
from pg_proc
where pronamespace::regnamespace::text = any(%s) and age(xmin) > 0
order by 1
