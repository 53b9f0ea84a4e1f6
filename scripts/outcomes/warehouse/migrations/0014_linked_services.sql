-- The model is identity.int_crosswalk_services. Like every migration, this one drops all inner
-- tables: the next build would leave the old one, and so would a purge of the clients in it.
drop table if exists intermediate.int_linked_services;
