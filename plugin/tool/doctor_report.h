// What `bloom_lfs doctor` prints.
#pragma once

#include "plugin/tool/doctor_facts.h"
#include "plugin/tool/doctor_verdict.h"
#include "plugin/tool/report.h"

namespace bloom_lfs::tool {

void ShowDoctor(const DoctorFacts& facts, const DoctorVerdict& verdict, Report* report);

}  // namespace bloom_lfs::tool
