-- Never issued: area 000, 666 and 900 upward, group 00, serial 0000. The rest are
-- numbers that people make up, or that were printed on sample cards. Parts are compared
-- one by one, because patterns that look ahead and back take six times as long.
select
    case
        when
            ssn ~ '^[0-9]{9}$'
            and left(ssn, 3) not in ('000', '666')
            and left(ssn, 1) <> '9'
            and substr(ssn, 4, 2) <> '00'
            and right(ssn, 4) <> '0000'
            and ssn <> repeat(left(ssn, 1), 9)
            and ssn not in ('123456789', '078051120', '219099999', '457555462')
            then ssn
    end
