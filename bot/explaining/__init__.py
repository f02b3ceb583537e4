"""Why a service is as it is: from the symptom to its cause, pure but for reading."""
