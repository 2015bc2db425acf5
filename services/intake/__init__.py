"""Intake: from referral to admission, plan, level of care, hold and discharge."""
