select oid::regprocedure::text
from pg_proc
where
    pronamespace in ('landing'::regnamespace, 'releases'::regnamespace)
    and age(xmin) > 0
order by 1
