select min(element)
from unnest(list) as elements (element)
