"""What a relay's stores hold, as someone sees it who has got hold of them."""
