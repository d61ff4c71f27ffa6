# Homebrew, on Linux. SKIPPER_TARBALL=/path/to/skipper-VERSION.tar.gz brew install --build-from-source ./skipper.rb
class Skipper < Formula
  desc "Trainer for residual networks on any OpenCL device"
  url "file://#{ENV.fetch("SKIPPER_TARBALL", "#{Dir.pwd}/skipper-0.1.0.tar.gz")}"
  version "0.1.0"
  license "MIT"

  depends_on "cmake" => :build
  depends_on "opencl-headers" => :build
  depends_on "pkgconf" => :build
  depends_on "cjson"
  depends_on "clblast"
  depends_on "giflib"
  depends_on "jpeg-turbo"
  depends_on "libspng"
  depends_on "libtiff"
  depends_on "libarchive"
  depends_on "libzip"
  depends_on :linux
  depends_on "lua@5.4"
  depends_on "ocl-icd"
  depends_on "popt"
  depends_on "protobuf-c"
  depends_on "utf8proc"
  depends_on "webp"
  depends_on "xxhash"
  depends_on "zlib"

  def install
    system "cmake", "-S", ".", "-B", "build", "-DBUILD_TESTING=OFF", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/skipper --version")
    system bin/"skipper", "train", "identity", "--max-steps", "2", "--out", "run", "--backend", "reference"
    assert_path_exists testpath/"run/last.safetensors"
  end
end
