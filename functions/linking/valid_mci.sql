-- Repeated or ascending digits are typed when the number is unknown.
select
    case
        when
            mci_id <> repeat(left(mci_id, 1), length(mci_id))
            and position(mci_id in '01234567890') = 0
            then mci_id
    end
