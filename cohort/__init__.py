"""Reading the datasets: tables, schemas, image stores, files written whole or not at all, and the simulated cohort."""
