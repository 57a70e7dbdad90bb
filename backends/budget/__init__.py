"""The port `strava.budget_store.BudgetStore`, kept in a file where programs of one machine share the app's calls."""
