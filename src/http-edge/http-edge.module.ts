import { Module } from '@nestjs/common';
import { AdmissionService } from './admission.service.js';
import { ApiExceptionFilter } from './api-exception.filter.js';

@Module({
  providers: [AdmissionService, ApiExceptionFilter],
  exports: [AdmissionService, ApiExceptionFilter],
})
export class HttpEdgeModule {}
