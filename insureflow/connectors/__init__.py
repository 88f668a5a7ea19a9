"""The outside world: files, rates, calendars, insurers, registers."""
