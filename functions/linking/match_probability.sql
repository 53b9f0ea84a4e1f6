-- Two forms, so that neither can overflow.
select
    case
        when match_weight >= 0 then 1 / (1 + power(2::double precision, -match_weight))
        else
            power(2::double precision, match_weight)
            / (1 + power(2::double precision, match_weight))
    end
