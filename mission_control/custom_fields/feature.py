"""What custom_fields add to the application."""

from mission_control.custom_fields import api, models, pages, policy, queries
from mission_control.feature import Feature
from mission_control.live.kinds import Kind

custom_fields = Feature(
    name="custom_fields",
    models=(models,),
    rules=(policy.rules,),
    kinds={
        "custom_field.created": Kind(
            "A custom field was added to the tasks of some boards.", "made the custom field", is_named_in_message=True
        ),
        "custom_field.updated": Kind(
            "A custom field or the boards that have it changed.", "changed the custom field", is_named_in_message=True
        ),
        "custom_field.ordered": Kind(
            "The custom fields were put in another order.", "put the custom fields in order, first"
        ),
        "custom_field.deleted": Kind(
            "A custom field was deleted.", "deleted the custom field", is_named_in_message=True
        ),
    },
    lookups=(queries.visible_field,),
    blueprints=(api.api, pages.pages),
)
