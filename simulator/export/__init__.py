"""The bulk export that an athlete can ask Strava for: a ZIP of lists and of the recordings as they were uploaded.

https://support.strava.com/hc/en-us/articles/216918437-Exporting-your-Data-and-Bulk-Export
"""
