select 'P' || upper(left(md5(coalesce('mci|' || mci_id, 'client|' || record_id)), 15))
