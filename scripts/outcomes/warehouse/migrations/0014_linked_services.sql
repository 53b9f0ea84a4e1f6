-- The table is identity.int_crosswalk_services. The next build would leave the old one, with the
-- services of children whose records may be purged since.
drop table if exists intermediate.int_linked_services;
