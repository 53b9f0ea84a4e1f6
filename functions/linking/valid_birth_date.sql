select
    case
        when birth_date > date '1900-01-01' and birth_date <= as_of_date then birth_date
    end
