// A device that is only pretended: its memory is that of the machine, and whatever it is to do is
// done there, but torch takes it for a device of its own, and mixes no tensors of both.
// After torch's example of an extension for a device, https://docs.pytorch.org/tutorials/advanced/privateuseone.html

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/InferSize.h>
#include <ATen/core/stack.h>
#include <ATen/native/Resize.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <torch/library.h>

namespace {

const c10::Device HERE(c10::DeviceType::PrivateUse1, 0);

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return c10::DeviceType::PrivateUse1; }
  c10::Device exchangeDevice(c10::Device) const override { return HERE; }
  c10::Device getDevice() const override { return HERE; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, HERE); }
  c10::Stream getDefaultStream(c10::Device) const override { return c10::Stream(c10::Stream::DEFAULT, HERE); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, HERE); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks final : at::PrivateUse1HooksInterface {
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  bool isAvailable() const override { return true; }
  bool isBuilt() const override { return true; }
};

struct Allocator final : at::Allocator {
  at::DataPtr allocate(size_t size) override {
    void* memory = size ? malloc(size) : nullptr;
    return {memory, memory, &free, HERE};
  }
  at::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void* to, const void* from, size_t size) const override { memcpy(to, from, size); }
};
Allocator memory;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &memory);

// The same numbers, as a tensor of the processor.
at::Tensor seen(const at::Tensor& x) {
  if (!x.defined() || x.is_cpu()) return x;
  return at::from_blob(x.data_ptr(), x.sizes(), x.strides(), x.options().device(at::kCPU));
}

at::Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory,
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           c10::dtype_or_default(dtype));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  seen(to).copy_(seen(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  seen(to).copy_(seen(from));
  return to;
}

at::Tensor part(const at::Tensor& self, c10::IntArrayRef size, c10::IntArrayRef stride,
                      std::optional<int64_t> offset) {
  auto found = at::detail::make_tensor<c10::TensorImpl>(
      c10::TensorImpl::VIEW, c10::Storage(self.storage()), self.key_set(), self.dtype());
  found.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride, offset.value_or(self.storage_offset()));
  return found;
}

at::Tensor reshape_alias(const at::Tensor& self, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return part(self, size, stride, std::optional<int64_t>(self.storage_offset()));
}

at::Tensor view(const at::Tensor& self, c10::IntArrayRef size) {
  at::DimVector sizes = at::infer_size_dv(size, self.numel());
  auto strides = at::detail::computeStride(self.sizes(), self.strides(), sizes);
  TORCH_CHECK(strides.has_value(), "view size is not compatible with input tensor's size and stride");
  return part(self, sizes, *strides, self.storage_offset());
}

const at::Tensor& resize(const at::Tensor& self, c10::IntArrayRef size, std::optional<at::MemoryFormat>) {
  auto* own = self.unsafeGetTensorImpl();
  int64_t numbers = c10::multiply_integers(size);
  size_t bytes = (numbers + self.storage_offset()) * self.itemsize();
  if (bytes > self.storage().nbytes()) {
    auto grown = memory.allocate(bytes);
    if (self.storage().nbytes()) memcpy(grown.get(), self.storage().data(), self.storage().nbytes());
    self.storage().set_data_ptr_noswap(std::move(grown));
    self.storage().set_nbytes(bytes);
  }
  own->set_sizes_contiguous(size);
  return self;
}

at::Scalar scalar_of(const at::Tensor& self) { return seen(self).item(); }

at::Tensor convolution(const at::Tensor& x, const at::Tensor& w, const std::optional<at::Tensor>& b,
                       c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation,
                       bool transposed, c10::IntArrayRef output_padding, int64_t groups) {
  auto bias = b.has_value() && b->defined() ? std::optional<at::Tensor>(seen(*b)) : std::nullopt;
  return at::convolution(seen(x), seen(w), bias, stride, padding, dilation, transposed, output_padding, groups)
      .to(HERE);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& g, const at::Tensor& x, const at::Tensor& w, at::OptionalIntArrayRef bias,
    c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
    c10::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  auto [dx, dw, db] = at::convolution_backward(seen(g), seen(x), seen(w), bias, stride, padding, dilation,
                                               transposed, output_padding, groups, wanted);
  auto back = [](const at::Tensor& t) { return t.defined() ? t.to(HERE) : t; };
  return {back(dx), back(dw), back(db)};
}

// As on a GPU: a tensor of the processor cannot take part, unless it is a number or an index.
void refuse(const at::Tensor& tensor, const c10::OperatorHandle& op) {
  bool stranger = tensor.defined() && tensor.is_cpu() && tensor.dim() > 0;
  TORCH_CHECK(!stranger, "Expected all tensors to be on the same device, but ", op.schema().name(),
              " was given one of the CPU.");
}

// Every other operation: that of the processor, on the same memory.
void elsewhere(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  bool indexes = schema.name() == "aten::index" || schema.name() == "aten::index_put_";
  std::vector<std::pair<at::Tensor, at::Tensor>> changed;  // what is written to, and its stand-in
  size_t first = stack->size() - schema.arguments().size();
  for (size_t k = first; k < stack->size(); ++k) {
    c10::IValue& value = (*stack)[k];
    if (value.isTensor()) {
      at::Tensor own = value.toTensor();
      refuse(own, op);
      const auto* alias = schema.arguments()[k - first].alias_info();
      value = seen(own);
      if (alias && alias->isWrite()) {  // which may be resized, as memory of others may not
        value = seen(own).clone();
        changed.emplace_back(own, value.toTensor());
      }
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> each;
      for (const at::Tensor& tensor : value.toTensorVector()) {
        if (!indexes) refuse(tensor, op);
        each.push_back(seen(tensor));
      }
      value = c10::List<at::Tensor>(each);
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> each;
      for (const auto& tensor : value.toOptionalTensorVector())
        each.push_back(tensor.has_value() ? std::optional<at::Tensor>(seen(*tensor)) : std::nullopt);
      value = each;
    } else if (value.isDevice()) {
      value = c10::Device(at::kCPU);
    }
  }
  op.callBoxed(*stack);
  for (auto& [own, stand_in] : changed) {
    if (own.sizes() != stand_in.sizes()) own.resize_(stand_in.sizes());
    seen(own).copy_(stand_in);
  }
  auto back = [&](const at::Tensor& found) {
    if (!found.defined()) return found;
    for (auto& [own, stand_in] : changed)
      if (stand_in.is_same(found)) return own;
    at::Tensor made = at::empty_strided(found.sizes(), found.strides(), found.options().device(HERE));
    seen(made).copy_(found);
    return made;
  };
  for (size_t k = stack->size() - schema.returns().size(); k < stack->size(); ++k) {
    c10::IValue& value = (*stack)[k];
    if (value.isTensor()) {
      value = back(value.toTensor());
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> each;
      for (const at::Tensor& tensor : value.toTensorVector()) each.push_back(back(tensor));
      value = c10::List<at::Tensor>(each);
    }
  }
}

struct Registered {
  Registered() { at::RegisterPrivateUse1HooksInterface(new Hooks()); }
} registered;

}  // namespace

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&elsewhere>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("as_strided", part);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("view", view);
  m.impl("resize_", resize);
  m.impl("_local_scalar_dense", scalar_of);
  m.impl("convolution", convolution);
  m.impl("convolution_backward", convolution_backward);
}
