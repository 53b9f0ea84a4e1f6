"""Landing: reads delivered files into the canonical raw feeds and the ledger.

`land` lands, releases and replays in the warehouse of the settings.

The way of a file: `deliveries` finds it (`sftp` fetches it before), `archive` keeps it, `unpack`
makes logical files of it, and `loader` lands each of them in one transaction. `reading` reads one:
`text` gives its lines, `delimited`, `fixed_width` or `workbook` its rows, `header` the place of
each column; `validate` applies the `rules` of the contract. `ledger` records the outcome,
`snapshots` holds a file that lost rows, `replaced` knows which kinds of file were renamed or split,
`joins` combines the files of a delivery.

A new district: `skeleton` proposes a contract for its samples, `check` tries the contract.
"""
