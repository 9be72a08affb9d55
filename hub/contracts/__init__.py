"""Types that cross walls: what the hub hands to plugins and gets back. No behaviour, no imports from other rooms."""
