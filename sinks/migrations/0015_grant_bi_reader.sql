-- requires: users
GRANT SELECT ON {database}.* TO bi_reader
