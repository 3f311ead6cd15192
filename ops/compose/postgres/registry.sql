-- The schema registry keeps its own database beside the ledger's.
CREATE DATABASE registry;
