select max(element)
from unnest(list) as elements (element)
