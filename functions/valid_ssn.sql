-- Never issued: area 000, 666 and 900 upward, group 00, serial 0000. The rest are
-- numbers that people make up, or that were printed on sample cards.
select
    case
        when
            ssn ~ '^(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}$'
            and ssn !~ '^([0-9])\1{8}$'
            and ssn not in ('123456789', '078051120', '219099999', '457555462')
            then ssn
    end
