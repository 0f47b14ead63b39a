"""Many attempts: order, admission, resume, retry."""

from evalkit.campaign.boundaries import Boundaries
from evalkit.campaign.run import Campaign, Plan, Watcher
from evalkit.campaign.todo import Todo, left_to_do

__all__ = ["Boundaries", "Campaign", "Plan", "Todo", "Watcher", "left_to_do"]
