#pragma once
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {
struct TFLMRegistration {};
TFLMRegistration Register_FULLY_CONNECTED();
TFLMRegistration Register_FULLY_CONNECTED_INT8();
TFLMRegistration Register_ADD_INT8();
TFLMRegistration Register_MUL_INT8();
template <unsigned most>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddGather();
  TfLiteStatus AddFullyConnected(const TFLMRegistration &registration = Register_FULLY_CONNECTED());
  TfLiteStatus AddAdd(const TFLMRegistration &registration);
  TfLiteStatus AddSub();
  TfLiteStatus AddMul(const TFLMRegistration &registration);
  TfLiteStatus AddLogistic();
  TfLiteStatus AddTanh();
};
}  // namespace tflite
